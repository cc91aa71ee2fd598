/** Two activities that do nothing: what is measured is the engine under them. */
export const activities = {
  place: async (orderId: string): Promise<string> => `prepay-${orderId}`,
  book: async (orderId: string): Promise<string> => `booked-${orderId}`,
}

export type BaselineActivities = typeof activities
