/**
 * What a field costs beyond the objects it gives, by its place in the schema: about a tenth of the milliseconds that the store
 * works for it, or what it keeps busy. Fields that are not here cost nothing more.
 */
export const PRICES: Readonly<Record<string, number>> = {
  'Query.analytics': 50,
  'Query.requests': 20,
  'Query.budgets': 10,
  'Query.routePreview': 10,
  'Provider.stats': 20,
  'CircuitBreaker.events': 10,
  'Mutation.cancelChat': 10,
  'Mutation.chat': 10,
  'Mutation.resetBreaker': 10,
  'Mutation.setBudget': 10,
  'Mutation.setProviderEnabled': 10,
  'Mutation.simulateFailure': 10,
  'Mutation.stopSimulation': 10,
  'Subscription.analyticsTicks': 50,
  'Subscription.breakerEvents': 10,
  'Subscription.budgetEvents': 10,
  'Subscription.chatStream': 10,
  'Subscription.requestEvents': 20,
  // The schema's size is known: these stand for all that comes of them, so that lists within are counted once.
  '__Schema.types': 100,
  '__Schema.directives': 20,
  '__Type.fields': 50,
  '__Type.inputFields': 50,
  '__Type.enumValues': 50,
  '__Type.interfaces': 20,
  '__Type.possibleTypes': 20,
  '__Field.args': 50,
};

/** How many items are expected of a list that nobody limits. Where an argument says how many, that counts. */
export const LIST_SIZES: Readonly<Record<string, number>> = {
  'Query.providers': 8,
  'Query.models': 20,
  'Provider.models': 4,
  'Analytics.series': 60,
  'AnalyticsGroup.keys': 2,
  'AnalyticsTick.providers': 8,
  'RoutingDecision.candidates': 8,
};

/** Of every other one, such as attempts, score terms or tool calls. */
export const LIST_SIZE = 4;
