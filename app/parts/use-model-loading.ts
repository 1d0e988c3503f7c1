'use client';

import { useCallback, useEffect, useRef, useState } from 'react';
import type { FetchRange } from '../../lib/transformer/load/fetch-range';
import type { LoadProgress, OpenedModel } from '../../lib/transformer/load/open-model';
import { type ModelSource, openSource } from '../../lib/transformer/load/source';

/** Loads a model whose files have been checked; rejects with one sentence, or an AbortError. */
export type OnLoad = (
  source: ModelSource,
  options: {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: LoadProgress) => void;
  },
) => Promise<void>;

interface Checked {
  readonly source: ModelSource;
  readonly label: string;
  readonly opened: OpenedModel;
}

/** From a choice to a loaded model. */
export type LoadingState =
  | { readonly phase: 'choosing'; readonly problem?: string }
  | { readonly phase: 'checking'; readonly label: string }
  | (Checked & { readonly phase: 'checked'; readonly problem?: string })
  | (Checked & { readonly phase: 'loading'; readonly progress?: LoadProgress })
  | (Checked & { readonly phase: 'loaded' });

export interface ModelLoading {
  readonly state: LoadingState;
  /** Reads the configuration and the headers; nothing of the weights. */
  check(source: ModelSource, label: string): Promise<void>;
  load(): Promise<void>;
  /** Stops what runs: checking goes back to the choice, loading to what was checked. */
  cancel(): void;
  /** Back to the choice. */
  reset(): void;
  /** Tells why a choice could not be taken. */
  refuse(problem: string): void;
}

export function useModelLoading(onLoad: OnLoad, fetchRange: FetchRange): ModelLoading {
  const [state, setState] = useState<LoadingState>({ phase: 'choosing' });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  /** A controller of its own for each step: what comes of one that was replaced is not shown. */
  const begin = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    return controller;
  }, []);

  async function check(source: ModelSource, label: string): Promise<void> {
    const controller = begin();
    const { signal } = controller;
    setState({ phase: 'checking', label });
    try {
      const opened = await openSource(source, { signal, fetchRange });
      if (running.current === controller) setState({ phase: 'checked', source, label, opened });
    } catch (error) {
      if (running.current !== controller) return;
      setState({ phase: 'choosing', ...(signal.aborted ? {} : { problem: messageOf(error) }) });
    }
  }

  async function load(): Promise<void> {
    if (state.phase !== 'checked') return;
    const { source, label, opened } = state;
    const checked = { source, label, opened };
    const controller = begin();
    const { signal } = controller;
    const isCurrent = () => running.current === controller;
    setState({ phase: 'loading', ...checked });
    try {
      await onLoad(source, {
        signal,
        onProgress: (progress) => {
          if (isCurrent() && !signal.aborted) setState({ phase: 'loading', ...checked, progress });
        },
      });
      if (isCurrent()) setState({ phase: 'loaded', ...checked });
    } catch (error) {
      if (!isCurrent()) return;
      const problem = signal.aborted ? {} : { problem: messageOf(error) };
      setState({ phase: 'checked', ...checked, ...problem });
    }
  }

  return {
    state,
    check,
    load,
    cancel: () => running.current?.abort(),
    reset: () => {
      begin();
      setState({ phase: 'choosing' });
    },
    refuse: (problem) => {
      begin();
      setState({ phase: 'choosing', problem });
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
