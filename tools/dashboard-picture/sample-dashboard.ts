import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { MicrovmCode, MicrovmImage, MicrovmImageDashboard } from '../../src';

export interface Widget {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title: string;
    readonly metrics: unknown[][];
    readonly annotations?: { readonly horizontal?: Array<{ readonly value: number; readonly label?: string }> };
  };
}

/** The widgets of a `MicrovmImageDashboard` of two images, as they stand in its template. */
export function sampleDashboard(): Widget[] {
  const stack = new Stack(new App(), 'Images', { env: { account: '123456789012', region: 'us-east-1' } });
  const images = ['Sandbox', 'Notebook'].map((id) => new MicrovmImage(stack, id, { code: MicrovmCode.fromInline({ dockerfile: 'FROM scratch\n' }) }));
  new MicrovmImageDashboard(stack, 'Dashboard', { images });
  const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  const parts: Array<string | { readonly Ref: string }> = dashboard.Properties.DashboardBody['Fn::Join'][1];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : part.Ref)).join('')).widgets;
}
