import { expose } from 'comlink';
import { createCheckService } from '../lib/run/check-service';

expose(createCheckService());
