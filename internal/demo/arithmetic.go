package demo

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
	"unicode"
)

var (
	errNoExpression = errors.New("not an expression")
	errZeroDivisor  = errors.New("division by zero")

	questionStart = regexp.MustCompile(`^(?:what is|what's|calculate|compute|how much is)\s+`)
	// expression needs an operator with something before it: a lone number is
	// no question.
	expression = regexp.MustCompile(`^[-+*/(). 0-9]*[0-9)] *[-+*/][-+*/(). 0-9]*$`)
)

// longestExpression bounds the parser's depth and the size of its numbers.
const longestExpression = 200

// calculate answers a message that asks for a sum, such as "what is 2 + 3?".
// It returns errNoExpression for any other.
func calculate(question string) (string, error) {
	text := questionStart.ReplaceAllString(question, "")
	text = strings.TrimRight(text, " ?=!.")
	text = strings.NewReplacer("×", "*", "÷", "/", "−", "-", "·", "*",
		" plus ", "+", " minus ", "-", " times ", "*", " divided by ", "/").Replace(text)
	if len(text) > longestExpression || !expression.MatchString(text) {
		return "", errNoExpression
	}
	parser := &parser{rest: text}
	value, err := parser.sum()
	if err != nil {
		return "", err
	}
	if parser.peek() != 0 {
		return "", errNoExpression
	}
	return "`" + text + "` = " + decimal(value), nil
}

// decimal writes a number exactly where it has few digits, else rounded.
func decimal(value *big.Rat) string {
	const digits = 10
	needed, exact := value.FloatPrec()
	if exact && needed <= digits {
		return value.FloatString(needed)
	}
	return value.FloatString(digits) + " (rounded)"
}

// parser is a recursive descent over + - * / and parentheses.
type parser struct{ rest string }

// peek skips spaces and returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *parser) take() { p.rest = p.rest[1:] }

func (p *parser) sum() (*big.Rat, error) {
	total, err := p.product()
	if err != nil {
		return nil, err
	}
	for {
		operator := p.peek()
		if operator != '+' && operator != '-' {
			return total, nil
		}
		p.take()
		next, err := p.product()
		if err != nil {
			return nil, err
		}
		if operator == '-' {
			next.Neg(next)
		}
		total.Add(total, next)
	}
}

func (p *parser) product() (*big.Rat, error) {
	total, err := p.factor()
	if err != nil {
		return nil, err
	}
	for {
		operator := p.peek()
		if operator != '*' && operator != '/' {
			return total, nil
		}
		p.take()
		next, err := p.factor()
		if err != nil {
			return nil, err
		}
		if operator == '*' {
			total.Mul(total, next)
			continue
		}
		if next.Sign() == 0 {
			return nil, errZeroDivisor
		}
		total.Quo(total, next)
	}
}

func (p *parser) factor() (*big.Rat, error) {
	switch p.peek() {
	case '-':
		p.take()
		value, err := p.factor()
		if err != nil {
			return nil, err
		}
		return value.Neg(value), nil
	case '(':
		p.take()
		value, err := p.sum()
		if err != nil {
			return nil, err
		}
		if p.peek() != ')' {
			return nil, errNoExpression
		}
		p.take()
		return value, nil
	}
	return p.number()
}

func (p *parser) number() (*big.Rat, error) {
	end := strings.IndexFunc(p.rest, func(r rune) bool { return r != '.' && !unicode.IsDigit(r) })
	if end < 0 {
		end = len(p.rest)
	}
	value, ok := new(big.Rat).SetString(p.rest[:end])
	if !ok {
		return nil, errNoExpression
	}
	p.rest = p.rest[end:]
	return value, nil
}
