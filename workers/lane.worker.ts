import { serveLane } from '../lib/wasm/lane';

serveLane(self as unknown as Parameters<typeof serveLane>[0]);
