import { config } from 'zod';

// Without this zod compiles validators with `new Function`, which the page's policy forbids. It is
// read when a schema is built, so every file with schemas imports this first. They import zod as a
// namespace: its own `z` object would keep every locale in the page.
config({ jitless: true });
