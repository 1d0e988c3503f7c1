import type { AttentionProgram } from '../attention/program';
import { printWgsl, type WgslNames } from '../formula/print-wgsl';
import type { WgslSlots } from './wgsl';

/** The expressions that a program puts into the slots of `variant.wgsl`, from its trees alone. */
export function variantSlots(program: AttentionProgram): WgslSlots {
  const { mask, score, numbers, tables } = program;
  const names: WgslNames = {
    variable: (name) => {
      switch (name) {
        case 'b':
          return 'at.batch';
        case 'h':
          return 'at.head';
        case 'q':
          return 'at.q';
        case 'k':
          return 'k';
        case 'score':
          return 'score';
        case 'queries':
          return 'i32(params.queries)';
        case 'keys':
          return 'i32(params.keys)';
        case 'heads':
          return 'i32(params.queryHeads)';
        default:
          throw new Error(`unknown variable: ${name}`);
      }
    },
    number: (name, type) => {
      const at = numbers.findIndex((number) => number.name === name);
      if (at < 0) throw new Error(`unknown number: ${name}`);
      const value = `params.numbers[${Math.floor(at / 4)}][${at % 4}]`;
      return type === 'int' ? `i32(${value})` : value;
    },
    table: (name, index) => {
      const at = tables.findIndex((table) => table.name === name);
      if (at < 0) throw new Error(`unknown table: ${name}`);
      return `readTable(${at}u, ${index}, at.batch, at.head)`;
    },
  };
  return {
    ...(mask === undefined
      ? {}
      : { mask1: printWgsl(mask, names, 1, 'bool'), mask4: printWgsl(mask, names, 4, 'bool') }),
    ...(score === undefined
      ? {}
      : {
          score1: printWgsl(score, names, 1, 'float'),
          score4: printWgsl(score, names, 4, 'float'),
        }),
  };
}
