// A worker program whose attempts do nothing, and which loads nothing: it speaks the worker protocol by hand.
const say = (frame) => process.stdout.write(`${JSON.stringify(frame)}\n`)
let partial = ''
process.stdin.on('data', (bytes) => {
  const lines = (partial + bytes.toString()).split('\n')
  partial = lines.pop()
  for (const line of lines) {
    const { type, run_id, task_id, attempt } = JSON.parse(line)
    if (type !== 'assign') continue
    say({ type: 'accepted', run_id, task_id, attempt, seq: 1 })
    say({ type: 'result', run_id, task_id, attempt, seq: 2 })
  }
})
say({ type: 'hello', protocol: 1, attempts: [] })
