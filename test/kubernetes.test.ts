import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../src/config.ts';

const FOLDER = join(import.meta.dirname, '../deploy/kubernetes');
const NAMES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
const read = (name: string) => parse(readFileSync(join(FOLDER, name), 'utf8'));

/** The schemas that Kubernetes publishes for what we use. */
const MODELS = { Deployment, HorizontalPodAutoscaler, Job, PodDisruptionBudget, Service };

function modelOf(manifest: ReturnType<typeof read>) {
  const kind: keyof typeof MODELS = manifest.kind;
  const model = new MODELS[kind](manifest);
  // The model puts in the version that it stands for, whatever the file says.
  expect(model.apiVersion).toBe(manifest.apiVersion);
  return model;
}

describe('a manifest for Kubernetes', () => {
  test.each(NAMES)('%s is what the API of its kind takes', (name) => {
    expect(() => modelOf(read(name)).validate()).not.toThrow();
  });

  test('with a mistake is found', () => {
    const wrong = read('replicas/deployment.yaml');
    wrong.spec.template.spec.containers[0].ports[0].containerPort = '4000';
    expect(() => modelOf(wrong).validate()).toThrow('containerPort');
    expect(() => modelOf({ ...read('replicas/service.yaml'), spec: { ports: [{}] } }).validate()).toThrow('port');
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
  const drainS = 25;
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(wait) / 1000 + drainS);
});
