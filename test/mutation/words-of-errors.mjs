import { PluginKind, declareValuePlugin } from '@stryker-mutator/api/plugin'

/** The words of an error are for people. What a caller goes by, its code, is changed like all else. */
const wordsOfErrors = {
  shouldIgnore(path) {
    const isWords = path.listKey === 'arguments' && path.key === 1 && path.parent.callee?.name === 'FleetError'
    return isWords ? 'the words of an error' : undefined
  },
}

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'words-of-errors', wordsOfErrors)]
