import { errorCodes } from 'flotilla'

/** Every code, what it means, what to do, and whether the same call may succeed later. */
export function errorTable(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { meaning, action, retryable }]) => `| \`${code}\` | ${meaning} | ${action} | ${retryable ? 'yes' : 'no'} |`,
  )
  return ['| code | what it means | what to do | retryable |', '|---|---|---|---|', ...rows].join('\n')
}
