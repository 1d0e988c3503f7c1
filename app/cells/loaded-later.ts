'use client';

import { lazy } from 'react';

// Editors and results of kinds that the first page does not show: each comes with its first cell.
export const CacheEditor = lazy(async () => ({
  default: (await import('./cache-editor')).CacheEditor,
}));
export const CacheResultView = lazy(async () => ({
  default: (await import('./cache-result')).CacheResultView,
}));
export const CheckEditor = lazy(async () => ({
  default: (await import('./check-editor')).CheckEditor,
}));
export const CheckResultView = lazy(async () => ({
  default: (await import('./check-result')).CheckResultView,
}));
export const ComposeEditor = lazy(async () => ({
  default: (await import('./compose-editor')).ComposeEditor,
}));
export const ComposeResultView = lazy(async () => ({
  default: (await import('./compose-result')).ComposeResultView,
}));
export const DecodeEditor = lazy(async () => ({
  default: (await import('./decode-editor')).DecodeEditor,
}));
export const DecodeResultView = lazy(async () => ({
  default: (await import('./decode-result')).DecodeResultView,
}));
export const ModelEditor = lazy(async () => ({
  default: (await import('./model-editor')).ModelEditor,
}));
export const ModelResultView = lazy(async () => ({
  default: (await import('./model-result')).ModelResultView,
}));
export const PlanResultView = lazy(async () => ({
  default: (await import('./plan-result')).PlanResultView,
}));
export const RecallGapEditor = lazy(async () => ({
  default: (await import('./recall-gap-editor')).RecallGapEditor,
}));
export const RecallGapResultView = lazy(async () => ({
  default: (await import('./recall-gap-result')).RecallGapResultView,
}));
export const RecurrentEditor = lazy(async () => ({
  default: (await import('./recurrent-editor')).RecurrentEditor,
}));
export const RecurrentResultView = lazy(async () => ({
  default: (await import('./recurrent-result')).RecurrentResultView,
}));
export const SweepResultView = lazy(async () => ({
  default: (await import('./sweep-result')).SweepResultView,
}));
export const ServeEditor = lazy(async () => ({
  default: (await import('./serve-editor')).ServeEditor,
}));
export const ServeCostEditor = lazy(async () => ({
  default: (await import('./serve-cost')).ServeCostEditor,
}));
export const SpeculateEditor = lazy(async () => ({
  default: (await import('./speculate-editor')).SpeculateEditor,
}));
export const SpeculateResultView = lazy(async () => ({
  default: (await import('./speculate-result')).SpeculateResultView,
}));
