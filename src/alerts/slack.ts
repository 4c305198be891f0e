import type { Alert, AlertSink } from '../ports/alert-sink.ts'
import type { FleetAlertChannel } from '../protocol/alert.ts'
import { endpointSink } from './endpoint.ts'
import type { EndpointParts } from './endpoint.ts'
import { commandsOf, sentenceOf } from './wording.ts'

/** Posts alerts to an incoming webhook of Slack, as blocks (AL3). With a `secret_ref` they are signed too, for relays that check it. */
export function slackSink(parts: EndpointParts): AlertSink<Extract<FleetAlertChannel, { kind: 'slack' }>> {
  return endpointSink(parts, slackMessage)
}

const marks: { readonly [Class in Alert['class']]: string } = {
  stale: ':hourglass:',
  restart_exhausted: ':x:',
  needs_human: ':raising_hand:',
  budget_exceeded: ':moneybag:',
  verifier_failed: ':grey_question:',
  run_completed: ':white_check_mark:',
}

function slackMessage(alert: Alert): unknown {
  const { run, task, attempt, worker, reason } = alert
  const head = `${marks[alert.class]} *${escaped(sentenceOf(alert))}*`
  const field = (name: string, value: string) => ({ type: 'mrkdwn', text: `*${name}*\n${escaped(value)}` })
  return {
    // What notifications show, and readers that show no blocks.
    text: escaped(`${sentenceOf(alert)} (${run.name})`),
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: reason === undefined ? head : `${head}\n${escaped(reason)}` } },
      {
        type: 'section',
        fields: [
          field('Run', `${run.name} (${run.id})`),
          field('Task', `${task.name} (${task.id})`),
          field('Attempt', worker === undefined ? String(attempt) : `${attempt}, on ${worker}`),
          field('Alert', alert.class),
        ],
      },
      {
        type: 'context',
        elements: [
          {
            type: 'mrkdwn',
            text: commandsOf(alert)
              .map((command) => `\`${escaped(command)}\``)
              .join(' | '),
          },
        ],
      },
    ],
  }
}

/** Slack's three control characters: without them a text can mention nobody, and link nowhere. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
