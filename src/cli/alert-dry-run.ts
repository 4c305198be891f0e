import { dryRunAlerts } from '../index.ts'
import type { AlertDryRun } from '../index.ts'
import type { Paint } from './paint.ts'
import { naming, readTaskFile } from './task-file.ts'
import type { Verb } from './verb.ts'

export const alertDryRun: Verb = {
  takes: 'FILE',
  does: 'Shows what the alert policies of a file would send, with secrets covered, and sends nothing.',
  least: 1,
  most: 1,
  options: ['class'],
  async perform({ words, options, output }) {
    const [file = ''] = words
    const spec = await readTaskFile(file)
    const { classes } = options
    const alerts = naming(file, () => dryRunAlerts(spec, classes.length === 0 ? {} : { classes }))
    if (alerts.length === 0) output.text('No task of the file would send such an alert.')
    for (const alert of alerts) output.text(...linesOf(alert, output.paint))
    for (const alert of alerts) output.row(alert)
    output.summary({ alerts: alerts.length, tasks: new Set(alerts.map((alert) => alert.task_id)).size })
    return 0
  },
}

function linesOf(
  { task_id, class: name, channel, after_attempts, after_minutes_stale, request }: AlertDryRun,
  paint: Paint,
): string[] {
  const held = [
    after_attempts === undefined ? '' : `once ${after_attempts} attempts failed`,
    after_minutes_stale === undefined ? '' : `once it was stale for ${after_minutes_stale} min`,
  ].filter((text) => text !== '')
  return [
    `${paint.bold(name)} of ${task_id} through ${channel}${held.length === 0 ? '' : `, ${held.join(' and ')}`}`,
    `  ${request.method} ${request.url}`,
    ...Object.entries(request.headers).map(([header, value]) => `  ${paint.dim(`${header}: ${value}`)}`),
    ...JSON.stringify(request.body, null, 2)
      .split('\n')
      .map((line) => `  ${line}`),
    '',
  ]
}
