import { chosenGroups } from './areas.mjs'
import { keptThread } from './kept-thread.mjs'

const conditions = ['flotilla-source', 'module', 'node', 'development|production']
const [{ tests, isOnceToo = false }] = chosenGroups([process.env.FLOTILLA_MUTATION])

/** Files in the order in which the group names them: what knows most of the sources comes first. */
class AsNamed {
  shard(files) {
    return files
  }
  sort(files) {
    const rank = ({ moduleId }) => tests.findIndex((test) => moduleId.endsWith(test))
    return files.toSorted((one, other) => rank(one) - rank(other))
  }
}

export default {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // What is made once would stay as a mutant made it, so that everything has to be loaded anew.
  plugins: isOnceToo ? [] : [keptThread()],
  test: { include: tests, isolate: false, testTimeout: 60_000, sequence: { sequencer: AsNamed } },
}
