import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate as isDeployment } from 'kubernetes-models/_schemas/IoK8sApiAppsV1Deployment';
import { validate as isAutoscaler } from 'kubernetes-models/_schemas/IoK8sApiAutoscalingV2HorizontalPodAutoscaler';
import { validate as isJob } from 'kubernetes-models/_schemas/IoK8sApiBatchV1Job';
import { validate as isService } from 'kubernetes-models/_schemas/IoK8sApiCoreV1Service';
import { validate as isDisruptionBudget } from 'kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../src/config.ts';

const FOLDER = join(import.meta.dirname, '../deploy/kubernetes');
const LIFETIME = join(import.meta.dirname, '../src/cli/lifetime.ts');
const NAMES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
const read = (name: string) => parse(readFileSync(join(FOLDER, name), 'utf8'));

/** Leaves the faults that it found at itself, as generated code does. */
interface Judge {
  (manifest: unknown): boolean;
  readonly errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null;
}

/** The schemas that Kubernetes publishes for what we use. */
const SCHEMAS: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ['apps/v1 Deployment', isDeployment],
  ['autoscaling/v2 HorizontalPodAutoscaler', isAutoscaler],
  ['batch/v1 Job', isJob],
  ['v1 Service', isService],
  ['policy/v1 PodDisruptionBudget', isDisruptionBudget],
]);

/**
 * What is wrong with a manifest, field by field. Kubernetes passes over fields that it does not know in silence, and so do its schemas:
 * but who judges by them looks at every field that is known, and at no other.
 */
function faultsOf(manifest: ReturnType<typeof read>): readonly string[] {
  const isValid = SCHEMAS.get(`${manifest.apiVersion} ${manifest.kind}`);
  if (isValid === undefined) return ['/kind of this apiVersion is none that we use'];
  const seen = new Set<string>();
  const watched = (value: unknown, path: string): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    return new Proxy(value, {
      get(target, key, receiver) {
        seen.add(`${path}/${String(key)}`);
        return watched(Reflect.get(target, key, receiver), `${path}/${String(key)}`);
      },
    });
  };
  if (!isValid(watched(manifest, ''))) {
    return (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? 'is wrong'}`);
  }
  const stray = (value: unknown, path: string): readonly string[] => {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) =>
      seen.has(`${path}/${key}`) ? stray(inner, `${path}/${key}`) : [`${path}/${key} is not known`],
    );
  };
  return stray(manifest, '');
}

describe('a manifest for Kubernetes', () => {
  test.each(NAMES)('%s is what the API of its kind takes, to the last field', (name) => {
    expect(faultsOf(read(name))).toEqual([]);
  });

  test('with a mistake is found', () => {
    const wrong = read('replicas/deployment.yaml');
    wrong.spec.template.spec.containers[0].ports[0].containerPort = '4000';
    expect(faultsOf(wrong).join()).toContain('/spec/template/spec/containers/0/ports/0/containerPort');
    const service = { ...read('replicas/service.yaml'), spec: { ports: [{}] } };
    expect(faultsOf(service).join()).toContain('/spec/ports/0');
  });

  test('with a misspelt field is found', () => {
    const wrong = read('replicas/deployment.yaml');
    const { spec } = wrong.spec.template;
    spec.terminationGracePeriodSecond = 45;
    spec.containers[0].readinesProbe = spec.containers[0].readinessProbe;
    expect(faultsOf(wrong)).toEqual([
      '/spec/template/spec/containers/0/readinesProbe is not known',
      '/spec/template/spec/terminationGracePeriodSecond is not known',
    ]);
  });
});

test('what belongs together finds each other', () => {
  const deployment = read('replicas/deployment.yaml');
  const { labels } = deployment.spec.template.metadata;
  const [{ name, containerPort }] = deployment.spec.template.spec.containers[0].ports;
  const service = read('replicas/service.yaml');
  expect(deployment.spec.selector.matchLabels).toEqual(labels);
  expect(service.spec.selector).toEqual(labels);
  expect(service.spec.ports[0].targetPort).toBe(name);
  expect(read('replicas/pod-disruption-budget.yaml').spec.selector.matchLabels).toEqual(labels);
  for (const file of ['replicas/autoscaler.yaml', 'by-load/autoscaler.yaml']) {
    expect(read(file).spec.scaleTargetRef).toEqual({
      apiVersion: deployment.apiVersion,
      kind: deployment.kind,
      name: deployment.metadata.name,
    });
  }
  expect(read('migrate.yaml').spec.template.metadata.labels).not.toEqual(labels);
  expect(readFileSync(join(FOLDER, '../../Dockerfile'), 'utf8')).toContain(`EXPOSE ${containerPort}`);
});

test('the migration is the command of the service', () => {
  expect(read('migrate.yaml').spec.template.spec.containers[0].command).toEqual(['node', 'src/main.ts', 'migrate']);
});

test('what they set is understood by the service', () => {
  const secrets = {
    DATABASE_URL: 'postgres://switchyard:secret@db:5432/switchyard',
    ADMIN_KEY: '6f1c9a0be77d4c52a8e3f94b1d06c7a5',
  };
  const [gateway] = read('replicas/deployment.yaml').spec.template.spec.containers;
  const [migrate] = read('migrate.yaml').spec.template.spec.containers;
  for (const container of [gateway, migrate]) {
    const set = container.env.map(({ name, value }: { name: string; value?: string }) => [name, value]);
    const env = { HOST: '0.0.0.0', ...secrets, ...Object.fromEntries(set.filter(([, value]: string[]) => value)) };
    expect(parseConfig(env)).toMatchObject({ kind: 'valid', config: { store: { kind: 'postgres' } } });
  }
});

test('a pod has longer to end than the service takes', () => {
  const { spec } = read('replicas/deployment.yaml').spec.template;
  const wait = spec.containers[0].env.find(({ name }: { name: string }) => name === 'DRAIN_WAIT_MS').value;
  const { periodSeconds, failureThreshold } = spec.containers[0].readinessProbe;
  expect(Number(wait)).toBeGreaterThan(periodSeconds * failureThreshold * 1000);
  // What `lifetime.ts` gives what runs, and at most 15 s for stopping the rest and closing: operations, collector, journal.
  const drainMs = Number(/DRAIN_MS = ([\d_]+)/.exec(readFileSync(LIFETIME, 'utf8'))?.[1]?.replaceAll('_', ''));
  expect(spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(Number(wait) + drainMs + 15_000);
});
