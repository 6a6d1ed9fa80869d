/** What other slices may ask and do about webhooks, inside their own transactions. */
export { countFailing, deleteWebhooksOf, isWebhookSealedWith } from './store.ts'
