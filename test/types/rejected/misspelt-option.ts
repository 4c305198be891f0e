// a misspelt option of the fleet
import { createFleet } from 'flotilla'

// rejected: 'handler' does not exist
await createFleet({ handler: {} })
