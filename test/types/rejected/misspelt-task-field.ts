// RE1 a misspelt field of a task
import { count } from '../definitions.ts'

// rejected: 'retry_polcy' does not exist
count.task({ id: 'a', input: { text: '' }, retry_polcy: { max_attempts: 3 } })
