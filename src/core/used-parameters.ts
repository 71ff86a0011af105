import type { Prompt } from './prompt.ts';
import { PARAMETERS, type Parameter } from './registry.ts';

/** The parameters a caller used that some models do not take. */
export function usedParametersOf(prompt: Prompt): readonly Parameter[] {
  return PARAMETERS.filter((parameter) => isUsed(prompt, parameter));
}

function isUsed(prompt: Prompt, parameter: Parameter): boolean {
  switch (parameter) {
    case 'stop':
      return prompt.stop.length > 0;
    case 'parallelToolCalls':
      return prompt.tools !== null && prompt.tools.isParallel !== null;
    case 'jsonObject':
      return prompt.responseFormat?.kind === 'json';
    case 'temperature':
    case 'topP':
    case 'presencePenalty':
    case 'frequencyPenalty':
    case 'seed':
    case 'reasoningEffort':
      return prompt[parameter] !== null;
    default:
      return parameter satisfies never;
  }
}
