import './float16-array';

export { makeShaderDataDefinitions, makeStructuredView, type StructuredView } from 'webgpu-utils';
