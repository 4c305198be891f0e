// A handler that uses a secret: its value comes in when the attempt starts, and nothing that the fleet keeps or tells has it.
import { createFleet, defineTask, type SecretSource } from 'flotilla'
import { z } from 'zod'

/** Stands for the vault of your own; `envSecrets()` and `fileSecrets({ folder })` come with the package. */
const vault: SecretSource = {
  source: 'vault',
  resolve: (key) => ({ WEATHER_KEY: 'w3ath3r-k3y+42' })[key],
}

const forecast = defineTask({
  name: 'forecast',
  input: z.object({ city: z.string() }),
  output: z.object({ asked: z.string(), header: z.string() }),
  async run({ input, secrets, log }) {
    const key = secrets.get('WEATHER_KEY')
    const url = `https://weather.example/${input.city}?key=${encodeURIComponent(key)}`
    // What an HTTP library may print when it is asked to be verbose.
    await log(`GET ${url}`)
    return { asked: url, header: `Basic ${btoa(`app:${key}`)}` }
  },
})

const fleet = await createFleet({ handlers: { forecast }, secrets: vault })
const run = await fleet.start({
  name: 'weather',
  // Which secrets the run may have. Without this an attempt has none.
  security_policy: { allowed_secrets: [{ key: 'WEATHER_KEY', source: 'vault' }] },
  tasks: [forecast.task({ id: 'oslo', input: { city: 'oslo' } })],
})
const result = await run.result()
result.assertCompleted()

console.log(result.output(forecast, 'oslo').asked) //=> https://weather.example/oslo?key=<secret:WEATHER_KEY>
console.log(result.output(forecast, 'oslo').header) //=> Basic YXBwOn<secret:WEATHER_KEY>
console.log(new TextDecoder().decode((await run.log('oslo'))?.bytes).trim()) //=> GET https://weather.example/oslo?key=<secret:WEATHER_KEY>

// A source that the fleet does not have is refused before anything is stored.
const refusal = await fleet
  .start({
    name: 'elsewhere',
    security_policy: { allowed_secrets: [{ key: 'WEATHER_KEY', source: 'keyring' }] },
    tasks: [forecast.task({ id: 'rome', input: { city: 'rome' } })],
  })
  .catch((error: Error) => error.message.split('\n').at(-1))
console.log(refusal) //=> security_policy.allowed_secrets[0].source: <secret:keyring.WEATHER_KEY>: no source "keyring" is given; pass one in `secrets`, or name vault
await fleet.close()
