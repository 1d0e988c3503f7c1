import { mkdirSync, writeFileSync } from 'node:fs';
import { NOTEBOOK_VERSION } from '../spec/notebook';
import { notebookJsonSchema } from '../spec/ranges';

// The published schema of the document; a unit test holds it against the source.
const file = new URL(`../../public/schema/notebook-${NOTEBOOK_VERSION}.json`, import.meta.url);
mkdirSync(new URL('.', file), { recursive: true });
const schema = { title: `Headroom notebook, version ${NOTEBOOK_VERSION}`, ...notebookJsonSchema() };
writeFileSync(file, `${JSON.stringify(schema, null, 1)}\n`);
