import { imageApp } from './image-app';

imageApp(JSON.parse(process.env.SCENARIO!));
