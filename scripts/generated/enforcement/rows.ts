import type { EnforcementRow } from './row.ts'
import { alertRows } from './rows/alert.ts'
import { aliasRows } from './rows/alias.ts'
import { eventRows } from './rows/event.ts'
import { recordRows } from './rows/record.ts'
import { runRows } from './rows/run.ts'
import { scorerRows } from './rows/scorer.ts'
import { secretRows } from './rows/secret.ts'
import { securityRows } from './rows/security.ts'
import { taskRows } from './rows/task.ts'
import { workerRows } from './rows/worker.ts'

/** Every row, by the path of its field. */
export const enforcementRows: readonly (readonly [path: string, row: EnforcementRow])[] = [
  ...runRows,
  ...taskRows,
  ...scorerRows,
  ...workerRows,
  ...securityRows,
  ...secretRows,
  ...alertRows,
  ...recordRows,
  ...eventRows,
  ...aliasRows,
]
