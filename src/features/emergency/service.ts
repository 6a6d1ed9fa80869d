export { followLockdown } from './lockdown.ts'
