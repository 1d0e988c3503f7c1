'use client';

import type { Session } from '../../lib/run/session-types';
import type { Cell, Notebook } from '../../lib/spec/notebook';
import type { ViewInput } from '../../lib/views/view-input';
import { ProvenanceLine } from '../parts/provenance-line';
import type { EditActions } from '../state/use-notebook';
import { useCellStatus, useSession } from '../use-session';
import { MapCell } from '../views/map-cell';
import { PlotView } from '../views/plot-view';
import { TableView } from '../views/table-view';
import { TimelineView } from '../views/timeline-view';
import { AttentionResultView } from './attention-result';
import { CellFrame } from './cell-frame';
import { RecurrentEditor } from './recurrent-editor';
import { RecurrentResultView } from './recurrent-result';
import styles from './results.module.css';
import { ServeResultView } from './serve-result';
import { TextCell } from './text-cell';
import { VariantEditor } from './variant-editor';
import { WorkloadResultView } from './workload-result';

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
        <TextCell cell={cell} onSet={(markdown) => edit.param(cell.id, ['markdown'], markdown)} />
      </section>
    );
  }
  return (
    <CellFrame
      {...props}
      editor={
        cell.kind === 'attention' ? (
          <VariantEditor
            params={cell.params}
            onVariant={(variant) => edit.param(cell.id, ['variant'], variant)}
          />
        ) : (
          cell.kind === 'recurrent' && (
            <RecurrentEditor
              params={cell.params}
              onParams={(params) => edit.params(cell.id, params)}
            />
          )
        )
      }
    >
      <Output {...props} />
    </CellFrame>
  );
}

function Output({ cell, session, edit }: Props) {
  const status = useCellStatus(session, cell.id);
  const statuses = useSession(session);
  const inputs: readonly ViewInput[] = cell.inputs.map((id) => ({
    id,
    title: id,
    result: statuses.get(id)?.result,
    isStale: statuses.get(id)?.isResultStale ?? false,
  }));
  const setParams = (params: unknown) => void edit.params(cell.id, params);

  switch (cell.kind) {
    case 'text':
      return null;
    case 'attention':
    case 'recurrent':
    case 'workload':
    case 'serve': {
      const { result } = status;
      if (result === undefined) return <p className={styles.note}>not run yet</p>;
      const { output } = result;
      return (
        <>
          {output.kind === 'attention' && <AttentionResultView result={output.value} />}
          {output.kind === 'recurrent' && <RecurrentResultView result={output.value} />}
          {output.kind === 'workload' && <WorkloadResultView workload={output.value} />}
          {output.kind === 'serve' && cell.kind === 'serve' && (
            <ServeResultView result={output.value} params={cell.params} />
          )}
          <ProvenanceLine provenance={result.provenance} />
        </>
      );
    }
    case 'map':
      return <MapCell cell={cell} inputs={inputs} session={session} onParamsChange={setParams} />;
    case 'timeline':
      return <TimelineView params={cell.params} inputs={inputs} onParamsChange={setParams} />;
    case 'plot':
      return <PlotView params={cell.params} inputs={inputs} onParamsChange={setParams} />;
    case 'table':
      return <TableView params={cell.params} inputs={inputs} onParamsChange={setParams} />;
  }
}
