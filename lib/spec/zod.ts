import { z } from 'zod';

// Without this zod compiles validators with `new Function`, which the page's policy forbids. It is
// read when a schema is built, so every schema takes `z` from here.
z.config({ jitless: true });

export { z };
