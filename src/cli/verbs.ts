import { alertDryRun } from './alert-dry-run.ts'
import { artifacts } from './artifacts.ts'
import { cancel } from './cancel.ts'
import { doctor } from './doctor.ts'
import { events } from './events.ts'
import { explain } from './explain.ts'
import { helpVerb } from './help.ts'
import { init } from './init.ts'
import { inspect } from './inspect.ts'
import { interrupt } from './interrupt.ts'
import { list } from './list.ts'
import { logs } from './logs.ts'
import { pause } from './pause.ts'
import { restart } from './restart.ts'
import { resume } from './resume.ts'
import { run } from './run.ts'
import { schema } from './schema.ts'
import { settle } from './settle.ts'
import { status } from './status.ts'
import type { Verb } from './verb.ts'
import { verify } from './verify.ts'
import { version } from './version.ts'

/** Every verb, in the order in which help tells them. */
export const verbs: Readonly<Record<string, Verb>> = {
  init,
  run,
  resume,
  status,
  list,
  inspect,
  logs,
  artifacts,
  events,
  explain,
  pause,
  cancel,
  interrupt,
  restart,
  settle,
  'alert-dry-run': alertDryRun,
  verify,
  doctor,
  schema,
  help: helpVerb(() => verbs),
  version,
}
