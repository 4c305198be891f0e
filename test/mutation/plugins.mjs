import { appendFileSync, writeFileSync } from 'node:fs'
import { PluginKind, commonTokens, declareClassPlugin, declareValuePlugin } from '@stryker-mutator/api/plugin'

/** The words of an error are for people. What a caller goes by, its code, is changed like all else. */
const wordsOfErrors = {
  shouldIgnore(path) {
    const isWords = path.listKey === 'arguments' && path.key === 1 && path.parent.callee?.name === 'FleetError'
    return isWords ? 'the words of an error' : undefined
  },
}

/** Writes every mutant down as soon as it is tested, a JSON object per line, so that a run that is broken off has told what it found. */
class MutantLines {
  static inject = [commonTokens.options]
  #path

  constructor({ mutantLines }) {
    this.#path = mutantLines
    writeFileSync(this.#path, '')
  }

  onMutantTested({ fileName, status, mutatorName, replacement, location, static: isStatic, coveredBy, killedBy }) {
    const line = { fileName, status, mutatorName, replacement, location, isStatic, tests: coveredBy?.length ?? 0, killedBy }
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`)
  }
}

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'words-of-errors', wordsOfErrors),
  declareClassPlugin(PluginKind.Reporter, 'mutant-lines', MutantLines),
]
