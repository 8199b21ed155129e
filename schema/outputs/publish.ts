/** Writes the published schemas: node schema/outputs/publish.ts */
import { writeFile } from 'node:fs/promises';
import { publishedSchemas } from './published.ts';

for (const [file, text] of publishedSchemas()) await writeFile(new URL(`../${file}`, import.meta.url), text);
