import { xml } from '../aws/aws-error.ts';
import type { ServiceResponse } from '../service.ts';

export function s3Xml(element: string, content: string): ServiceResponse {
  return xml(
    `<?xml version="1.0" encoding="UTF-8"?>\n<${element} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${element}>`,
  );
}
