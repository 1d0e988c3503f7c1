import { expose } from 'comlink';
import { createModelApi } from '../lib/run/model-api';
import { fetchRecall } from './fetch-recall';

expose(createModelApi({ readRecall: fetchRecall }));
