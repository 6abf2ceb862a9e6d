import { render } from 'preact';
import { App } from './app';
import { Desk } from './desk';
import './styles/page.css';

const desk = new Desk();
const root = document.getElementById('app');
if (root) {
  render(<App desk={desk} />, root);
  void desk.begin();
}
