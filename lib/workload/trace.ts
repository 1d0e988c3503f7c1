import type { FileSource, WorkloadParams } from '../spec/kinds/workload';
import {
  type CsvLayout,
  createCsvParser,
  createCsvWorkloadParser,
  type WorkloadParser,
} from './csv';
import {
  CSV_COLUMNS,
  csvSentence,
  detectTrace,
  SHAREGPT_SENTENCE,
  type TraceFormat,
} from './detect-trace';
import { createJsonLinesParser } from './json-lines';
import { createShareGptParser } from './sharegpt';

type TraceSource = Extract<FileSource, { type: 'trace' }>;

/** So much of the file is looked at, where its first line is longer. */
const HEAD_CHARACTERS = 65_536;

/** The parser of a file of requests. */
export function createWorkloadParser(params: WorkloadParams, source: FileSource): WorkloadParser {
  switch (source.type) {
    case 'trace':
      return source.format === 'auto'
        ? detectingParser(params, source)
        : parserOf(params, source, source.format);
    case 'json-lines':
      return createJsonLinesParser(params, source);
    case 'azure-csv':
    case 'csv':
      return createCsvWorkloadParser(params, source);
  }
}

/** Waits for the first line, which tells the format. */
function detectingParser(params: WorkloadParams, source: TraceSource): WorkloadParser {
  let head = '';
  let parser: WorkloadParser | undefined;
  function begin(): WorkloadParser {
    const { format, sentence, columns } = detectTrace(head);
    const made =
      columns === undefined
        ? parserOf(params, source, format, sentence)
        : createCsvParser(params, {
            fileName: source.fileName,
            ...columns,
            others: [],
            found: sentence,
          });
    made.push(head);
    head = '';
    return made;
  }
  return {
    push(text) {
      if (parser !== undefined) {
        parser.push(text);
        return;
      }
      head += text;
      const start = head.replace(/^\uFEFF/, '').trimStart();
      if (start.includes('\n') || start.length >= HEAD_CHARACTERS) parser = begin();
    },
    get isFull() {
      return parser?.isFull ?? false;
    },
    finish() {
      if (parser === undefined && head.trim() === '') throw new Error('the file is empty');
      return (parser ?? begin()).finish();
    },
  };
}

function parserOf(
  params: WorkloadParams,
  source: TraceSource,
  format: TraceFormat,
  found?: string,
): WorkloadParser {
  switch (format) {
    case 'json-lines':
      return createJsonLinesParser(params, { ...source, ...(found !== undefined && { found }) });
    case 'sharegpt':
      return createShareGptParser(params, { ...source, found: found ?? SHAREGPT_SENTENCE });
    case 'burstgpt':
      return createCsvParser(params, burstGptLayout(source));
    default:
      return createCsvParser(params, {
        fileName: source.fileName,
        ...CSV_COLUMNS[format],
        found: csvSentence(format),
      });
  }
}

const LOG_TYPES = { conversation: 'Conversation log', api: 'API log' } as const;

/** BurstGPT's rows: those that failed have no response and are left out, as are other logs and models. */
function burstGptLayout({ fileName, logType, model }: TraceSource): CsvLayout {
  const wantedLog = logType === 'all' ? undefined : LOG_TYPES[logType];
  return {
    fileName,
    ...CSV_COLUMNS.burstgpt,
    others: [...(wantedLog === undefined ? [] : ['Log Type']), ...(model === '' ? [] : ['Model'])],
    leftOut(textOf) {
      if (wantedLog !== undefined && textOf('Log Type').toLowerCase() !== wantedLog.toLowerCase())
        return `not of the ${wantedLog.toLowerCase().replace('api', 'API')}`;
      if (model !== '' && textOf('Model') !== model) return `not to the model ${model}`;
      return /^0+(\.0*)?$/.test(textOf('Response tokens'))
        ? 'failed, with 0 response tokens'
        : undefined;
    },
    found: csvSentence('burstgpt'),
  };
}
