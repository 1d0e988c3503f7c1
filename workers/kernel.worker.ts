import { expose } from 'comlink';
import { createKernelService } from '../lib/gpu/kernel-service';

expose(createKernelService());
