export { listenForMetrics } from './listener.ts'
