import { expose } from 'comlink';
import { createEvaluationService } from '../lib/run/evaluation-service';

expose(createEvaluationService());
