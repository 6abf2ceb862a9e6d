import { render } from 'preact';
import { App } from './app';
import { Controller } from './controller';
import './styles/page.css';

const controller = new Controller();
const root = document.getElementById('app');
if (root) {
  render(<App controller={controller} />, root);
  void controller.begin();
}
