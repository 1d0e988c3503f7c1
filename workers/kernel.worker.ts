import { expose } from 'comlink';
import src from '../lib/gpu/a.wgsl';

expose({ len: () => src.length });
