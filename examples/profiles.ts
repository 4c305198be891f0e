// Agents by name: what a task does not say itself comes from its profile, the preset of its role, or its run, and the receipt says from which.
import { createFleet } from 'flotilla'

const fleet = await createFleet({
  profiles: { careful: { role: 'reviewer', model: 'maker/large', tools: ['read', 'grep'], instructions: 'Look twice.' } },
  handlers: {
    async review({ task, route }) {
      // What only the worker knows; the fleet adds the model and the sources.
      await route({ providerId: 'maker', providerKind: 'http', protocol: 'chat' })
      return `${task.worker?.role} with ${task.worker?.tools.join(', ')}`
    },
  },
})
const review = { name: 'review', instructions: 'Review the change.', handler: 'review' }
const run = await fleet.start({
  name: 'reviews',
  worker_defaults: { loadout: 'fast' },
  tasks: [{ ...review, id: 'change-1', worker: { agent_profile: 'careful', tools: ['read'] } }],
})
await run.result()
const receipt = await run.receipt('change-1')

console.log(receipt?.output) //=> reviewer with read
const { tools, model, tool_profile, loadout } = receipt?.profile?.sources ?? {}
console.log([tools, model, tool_profile, loadout].join(' ')) //=> task.tools agent_profile.model role_preset.tool_profile run.loadout
console.log(receipt?.resolved_route?.wire_model_id) //=> maker/large

// A profile may not have more than the policy of the run allows, nor a task more tools than its profile.
const refusal = await fleet
  .start({
    name: 'too much',
    security_policy: { max_trust_level: 'sandbox' },
    tasks: [
      { ...review, id: 'a', worker: { role: 'builder' } },
      { ...review, id: 'b', worker: { agent_profile: 'careful', tools: ['write'] } },
    ],
  })
  .catch((error: Error) => error.message.split('\n').slice(1).join('\n'))
console.log(refusal)
//=> tasks[0].worker.role: the trust level local of the preset of its role is above the max_trust_level sandbox
//=> tasks[1].worker.tools: the tools of the task go beyond those of the profile: write
await fleet.close()
