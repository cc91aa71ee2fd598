// The entry of the workflow bundle: what is exported here is what a worker can run.
export { adoptWorkflow } from './adopt.js'
export { paymentWorkflow } from './payment.js'
export { refundWorkflow } from './refund.js'
