import { expose } from 'comlink';
import { createSweepService } from '../lib/run/sweep-service';

expose(createSweepService());
