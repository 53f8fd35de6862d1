import type { QueryPipeline } from '../query/pipeline.ts';

/** Counts the statements that name virtual tables, by whether they could be hydrated. */
export function countedPipeline(
  pipeline: QueryPipeline,
  metrics: { statement(outcome: 'ok' | 'failed'): void },
): QueryPipeline {
  return {
    mayConcern: (text, pid) => pipeline.mayConcern(text, pid),
    split: (text) => pipeline.split(text),
    rewrite: async (request, backend) => {
      try {
        const rewrite = await pipeline.rewrite(request, backend);
        if (rewrite !== undefined) metrics.statement('ok');
        return rewrite;
      } catch (error) {
        metrics.statement('failed');
        throw error;
      }
    },
  };
}
