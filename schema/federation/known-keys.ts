import { z } from 'zod';

/** The keys that a schema's object at a path may have; empty where there is no object. */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: z.core.$ZodType | undefined = bare(schema);
  for (const part of path) {
    if (at instanceof z.ZodObject) at = at.shape[String(part)] as z.core.$ZodType | undefined;
    else if (at instanceof z.ZodRecord) at = at.valueType;
    else if (at instanceof z.ZodArray) at = at.element;
    else return [];
    if (at === undefined) return [];
    at = bare(at);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function bare(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return bare(schema.unwrap());
  return schema;
}
