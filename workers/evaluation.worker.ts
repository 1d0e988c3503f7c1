import { expose } from 'comlink';
import { openModelDevice } from '../lib/gpu/model-device';
import { createEvaluationService } from '../lib/run/evaluation-service';

expose(createEvaluationService({ openModelDevice }));
