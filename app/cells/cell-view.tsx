'use client';

import { Suspense } from 'react';
import { isKernelCell } from '../../lib/run/job-kinds';
import type { Session } from '../../lib/run/session-types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import type { Cell, CellOf, Notebook } from '../../lib/spec/notebook';
import type { ViewInput } from '../../lib/views/view-input';
import { ProvenanceLine } from '../parts/provenance-line';
import { freeId } from '../state/edits';
import type { EditActions } from '../state/use-notebook';
import { useCellStatus, useSession } from '../use-session';
import { CompareView } from '../views/compare-view';
import { MapCell } from '../views/map-cell';
import { PlotView } from '../views/plot-view';
import { TableView } from '../views/table-view';
import { TimelineView } from '../views/timeline-view';
import { AttentionResultView } from './attention-result';
import { CellFrame } from './cell-frame';
import { goToCell } from './go-to-cell';
import {
  CacheEditor,
  CacheResultView,
  CheckEditor,
  CheckResultView,
  ComposeEditor,
  ComposeResultView,
  DecodeEditor,
  DecodeResultView,
  ModelEditor,
  ModelResultView,
  PlanResultView,
  RecallGapEditor,
  RecallGapResultView,
  RecurrentEditor,
  RecurrentResultView,
  ServeCostEditor,
  ServeEditor,
  SpeculateEditor,
  SpeculateResultView,
  SweepResultView,
} from './loaded-later';
import { attentionCells } from './model-attention';
import { OwnRequests, REQUEST_FILES, takeRequests } from './own-requests';
import { PartialNote } from './partial-note';
import styles from './results.module.css';
import { SaveTensors } from './save-tensors';
import { ServeResultView } from './serve-result';
import { TensorInputs } from './tensor-inputs';
import { TextCell } from './text-cell';
import { servePlan } from './use-plan';
import { useTensorFile } from './use-tensor-file';
import { VariantEditor } from './variant-editor';
import { WorkloadResultView } from './workload-result';

const TENSOR_FILES = /\.safetensors$/i;

interface Props {
  readonly cell: Cell;
  readonly notebook: Notebook;
  readonly session: Session;
  readonly edit: EditActions;
}

export function CellView(props: Props) {
  const { cell, edit } = props;
  if (cell.kind === 'text') {
    return (
      <section data-cell={cell.id} tabIndex={-1} aria-label={`Text ${cell.id}`}>
        <TextCell cell={cell} edit={edit} />
      </section>
    );
  }
  if (cell.kind === 'attention') return <AttentionCellView {...props} cell={cell} />;
  return (
    <CellFrame
      {...props}
      {...(cell.kind === 'workload' && {
        takes: REQUEST_FILES,
        onFile: (file: File) => takeRequests({ ...props, cell }, file),
      })}
      editor={
        <Suspense>
          <Editor cell={cell} session={props.session} edit={edit} />
        </Suspense>
      }
    >
      <Suspense>
        <Output {...props} />
      </Suspense>
    </CellFrame>
  );
}

/** What a kind has beside the form that its schema makes. */
function Editor({ cell, session, edit }: Pick<Props, 'cell' | 'session' | 'edit'>) {
  const onParams = (params: unknown) => edit.params(cell.id, params);
  switch (cell.kind) {
    case 'compose':
      return (
        <ComposeEditor
          cellId={cell.id}
          params={cell.params}
          onParams={onParams}
          onVariant={(part, variant) =>
            edit.param(cell.id, ['parts', String(part), 'variant'], variant)
          }
        />
      );
    case 'recurrent':
      return <RecurrentEditor params={cell.params} onParams={onParams} />;
    case 'decode':
      return <DecodeEditor params={cell.params} onParams={onParams} />;
    case 'model':
      return <ModelEditor cell={cell} session={session} edit={edit} />;
    case 'cache':
      return (
        <CacheEditor
          params={cell.params}
          onParams={onParams}
          onCheckCell={(check) => {
            const id = freeId(session.notebook, `${cell.id}-check`);
            edit.append([{ id, kind: 'check', params: { check } }]);
            goToCell(id);
          }}
        />
      );
    case 'serve':
      return (
        <>
          <ServeEditor
            params={cell.params}
            onStrategy={(strategy) => edit.param(cell.id, ['strategy'], strategy)}
          />
          <ServeCostEditor params={cell.params} onParams={onParams} session={session} />
        </>
      );
    case 'check':
      return <CheckEditor params={cell.params} onParams={onParams} />;
    case 'recall-gap':
      return <RecallGapEditor params={cell.params} onParams={onParams} />;
    case 'speculate':
      return <SpeculateEditor params={cell.params} onParams={onParams} />;
    case 'workload':
      return <OwnRequests cell={cell} session={session} edit={edit} />;
    default:
      return null;
  }
}

function AttentionCellView(props: Props & { readonly cell: CellOf<'attention'> }) {
  const { cell, session, edit } = props;
  const file = useTensorFile(cell.id, cell.params, session, edit);
  return (
    <CellFrame
      {...props}
      takes={TENSOR_FILES}
      onFile={(dropped) => void file.choose(dropped)}
      editor={
        <>
          <TensorInputs cell={cell} session={session} edit={edit} file={file} />
          <VariantEditor
            cellId={cell.id}
            params={cell.params}
            onVariant={(variant) => edit.params(cell.id, withVariant(cell.params, variant))}
            onParam={(path, value) => edit.param(cell.id, path, value)}
          />
        </>
      }
    >
      <Output {...props} />
    </CellFrame>
  );
}

/** Keys are selected within dense and causal variants only; another one ends the selection. */
function withVariant(params: AttentionParams, variant: unknown) {
  const { type } = variant as AttentionParams['variant'];
  const keepsSelection = type === 'dense' || type === 'causal';
  return { ...params, variant, ...(keepsSelection ? {} : { select: { type: 'none' } }) };
}

function Output({ cell, session, edit }: Props) {
  const status = useCellStatus(session, cell.id);
  const statuses = useSession(session);
  const inputs: readonly ViewInput[] = cell.inputs.map((id) => ({
    id,
    title: id,
    kind: session.notebook.cells.find((other) => other.id === id)?.kind,
    result: statuses.get(id)?.result,
    isStale: statuses.get(id)?.isResultStale ?? false,
  }));
  const setParams = (params: unknown) => void edit.params(cell.id, params);

  switch (cell.kind) {
    case 'text':
      return null;
    case 'attention':
    case 'compose':
    case 'recurrent':
    case 'decode':
    case 'model':
    case 'cache':
    case 'recall-gap':
    case 'speculate':
    case 'workload':
    case 'check':
    case 'serve': {
      const { result, partial } = status;
      const output = partial ?? result?.output;
      if (output === undefined) return <p className={styles.note}>not run yet</p>;
      return (
        <>
          <PartialNote status={status} />
          {result?.provenance.recorded && isKernelCell(cell) && (
            <p className={styles.note}>
              <strong>Recorded:</strong> times, adapter and roof are those of the machine that it
              was recorded on. Run it for yours.
            </p>
          )}
          {output.kind === 'attention' && <AttentionResultView result={output.value} />}
          {output.kind === 'compose' && <ComposeResultView result={output.value} />}
          {output.kind === 'recurrent' && <RecurrentResultView result={output.value} />}
          {output.kind === 'decode' && <DecodeResultView result={output.value} />}
          {output.kind === 'model' && (
            <ModelResultView
              result={output.value}
              onAttention={(layer) =>
                edit.append(attentionCells(layer, (stem) => freeId(session.notebook, stem)))
              }
            />
          )}
          {output.kind === 'cache' && (
            <CacheResultView
              cellId={cell.id}
              result={output.value}
              provenance={partial === undefined ? result?.provenance : undefined}
              session={session}
              onMap={(params) =>
                edit.append([
                  {
                    id: freeId(session.notebook, `${cell.id}-map`),
                    kind: 'map',
                    inputs: [cell.id],
                    params,
                  },
                ])
              }
            />
          )}
          {output.kind === 'recall-gap' && (
            <RecallGapResultView result={output.value} isPartial={partial !== undefined} />
          )}
          {output.kind === 'speculate' && (
            <SpeculateResultView result={output.value} isPartial={partial !== undefined} />
          )}
          {output.kind === 'check' && <CheckResultView result={output.value} isRuleAbove />}
          {output.kind === 'workload' && <WorkloadResultView workload={output.value} />}
          {output.kind === 'serve' && cell.kind === 'serve' && (
            <ServeResultView
              result={output.value}
              params={cell.params}
              cellId={cell.id}
              session={session}
            />
          )}
          {result !== undefined && partial === undefined && (
            <ProvenanceLine provenance={result.provenance} />
          )}
          {output.kind === 'attention' && <SaveTensors cellId={cell.id} session={session} />}
        </>
      );
    }
    case 'sweep': {
      const { result } = status;
      const partial = status.partial?.kind === 'sweep' ? status.partial.value : undefined;
      const known = result?.output.kind === 'sweep' ? result.output.value : undefined;
      return (
        <>
          <PartialNote status={status} />
          <SweepResultView
            cellId={cell.id}
            result={partial ?? known}
            isPartial={partial !== undefined}
          />
          {result !== undefined && partial === undefined && (
            <ProvenanceLine provenance={result.provenance} />
          )}
        </>
      );
    }
    case 'plan': {
      const { result } = status;
      const partial = status.partial?.kind === 'plan' ? status.partial.value : undefined;
      const known = result?.output.kind === 'plan' ? result.output.value : undefined;
      return (
        <>
          <PartialNote status={status} />
          <PlanResultView
            cellId={cell.id}
            result={partial ?? known}
            isPartial={partial !== undefined}
            onUse={({ plan }) => servePlan(cell, plan, session.notebook, edit)}
          />
          {result !== undefined && partial === undefined && (
            <ProvenanceLine provenance={result.provenance} />
          )}
        </>
      );
    }
    case 'map':
      return <MapCell cell={cell} inputs={inputs} session={session} onParamsChange={setParams} />;
    case 'timeline':
      return (
        <TimelineView
          params={cell.params}
          inputs={inputs}
          session={session}
          onParamsChange={setParams}
        />
      );
    case 'compare':
      return (
        <CompareView
          params={cell.params}
          inputs={inputs}
          session={session}
          onParamsChange={setParams}
        />
      );
    case 'plot':
      return <PlotView params={cell.params} inputs={inputs} onParamsChange={setParams} />;
    case 'table':
      return <TableView params={cell.params} inputs={inputs} onParamsChange={setParams} />;
  }
}
