import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { PluginKind, commonTokens, declareClassPlugin, declareValuePlugin } from '@stryker-mutator/api/plugin'

const makesErrors = new Set(['FleetError', 'refuse'])

/** The words of an error are for people. What a caller goes by, its code, is changed like all else. */
const wordsOfErrors = {
  shouldIgnore(path) {
    const isWords = path.listKey === 'arguments' && path.key === 1 && makesErrors.has(path.parent.callee?.name)
    return isWords ? 'the words of an error' : undefined
  },
}

/** Writes every change down as soon as it was tested, a JSON object per line, so that a run that is broken off has told what it found. */
class MutantLines {
  static inject = [commonTokens.options]
  #path

  constructor({ mutantLines }) {
    this.#path = mutantLines
    writeFileSync(this.#path, '')
  }

  onMutantTested({ fileName, status, mutatorName, replacement = '', location: { start, end } }) {
    const lines = readFileSync(fileName, 'utf8')
      .split('\n')
      .slice(start.line - 1, end.line)
    const told = {
      file: relative('.', fileName),
      line: start.line,
      column: start.column,
      status,
      mutator: mutatorName,
      before: lines.join('\n'),
      after: `${lines[0].slice(0, start.column - 1)}${replacement}${lines.at(-1).slice(end.column - 1)}`,
    }
    appendFileSync(this.#path, `${JSON.stringify(told)}\n`)
  }
}

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'words-of-errors', wordsOfErrors),
  declareClassPlugin(PluginKind.Reporter, 'mutant-lines', MutantLines),
]
