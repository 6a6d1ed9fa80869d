export { checkConsent, consentErrors } from './consents.ts'
