import { defineJob } from '../../jobs/define-job.ts'
import { HOUR, MINUTE, SECOND } from '../../platform/clock.ts'
import { eraseDue } from './erasure.ts'
import { expireExports, makeExports } from './make-export.ts'

export const jobs = [
  defineJob({ name: 'make-exports', everyMs: 2 * SECOND, run: makeExports }),
  defineJob({ name: 'expire-exports', everyMs: HOUR, run: expireExports }),
  defineJob({ name: 'erase-accounts', everyMs: 5 * MINUTE, run: eraseDue }),
]
