import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publishedSchemas } from '../../../schema/outputs/published.ts';

const SCHEMA = new URL('../../../schema/', import.meta.url);

describe('the published schemas', () => {
  it.each([...publishedSchemas()])('%s is what `node schema/outputs/publish.ts` writes', (file, text) => {
    expect(JSON.parse(readFileSync(new URL(file, SCHEMA), 'utf8'))).toEqual(JSON.parse(text));
  });

  it('are all there, and no other', () => {
    const written = readdirSync(new URL('outputs', SCHEMA)).filter((name) => name.endsWith('.schema.json'));
    const published = [...publishedSchemas().keys()].filter((file) => file.startsWith('outputs/'));
    expect(written.map((name) => `outputs/${name}`).sort()).toEqual(published.sort());
  });
});
