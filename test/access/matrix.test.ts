import { isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { check } from './asking.ts';
import { CALLERS, type CallerName, makeScene, OWNERS, type Scene } from './scene.ts';
import { ROOTS } from './selection.ts';
import { NODES, TABLE } from './table.ts';

const FIELDS = Object.values(ROOTS).flatMap((root) =>
  Object.keys(root.getFields()).map((field) => `${root.name}.${field}`),
);
const CALLER_NAMES = Object.keys(CALLERS) as readonly CallerName[];

test('every field of Query, Mutation and Subscription has a row in the table of who sees what, and no other', () => {
  expect(Object.keys(TABLE).toSorted()).toEqual(FIELDS.toSorted());
});

test('every type with a global id has a line among the nodes', () => {
  const types = schema.getPossibleTypes(schema.getType('Node') as Parameters<typeof schema.getPossibleTypes>[0]);
  expect(Object.keys(NODES).toSorted()).toEqual(
    types
      .filter(isObjectType)
      .map(({ name }) => name)
      .toSorted(),
  );
});

test('every row of the table asks for what the field itself says', () => {
  for (const [name, { needs, calls }] of Object.entries(TABLE)) {
    const [root, field = ''] = name.split('.');
    const others = Object.values(calls).flatMap(({ othersNeed }) => othersNeed ?? []);
    const access = others.length === 0 ? needs : `own, or ${others[0]}`;
    const found = Object.values(ROOTS)
      .find((type) => type.name === root)
      ?.getFields()[field];
    expect(found?.extensions.access, name).toBe(access);
  }
});

describe.each(Object.entries(TABLE))('%s', (name, row) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await makeScene();
  });
  afterAll(() => scene.kit[Symbol.asyncDispose]());

  test.each(CALLER_NAMES)('tells %s what is theirs, and of nobody else', async (caller) => {
    for (const [way, call] of Object.entries(row.calls)) {
      for (const owner of OWNERS) {
        const target = await scene.targetOf(owner);
        await check(scene, { caller, row, call, name, target }).catch((error: Error) => {
          error.message = `${caller} asks "${way}" about ${owner}: ${error.message}`;
          throw error;
        });
      }
    }
  });
});
