package cli

import "reflect"

// withHidden returns a copy of plain data, such as a plan, in whose texts hide replaces secrets. What is written of it
// needs no more replacing: a secret may be declared as a piece of the document's own markup, without which the texts
// of others would become markup. Types of words of the program, such as planner.Mark, stay.
func withHidden[T any](of T, hide func(string) string) T {
	var copied func(v reflect.Value) reflect.Value
	copied = func(v reflect.Value) reflect.Value {
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		switch v.Kind() {
		case reflect.String:
			if v.Type() == reflect.TypeFor[string]() {
				out.SetString(hide(v.String()))
			}
		case reflect.Pointer:
			if !v.IsNil() {
				out.Set(reflect.New(v.Type().Elem()))
				out.Elem().Set(copied(v.Elem()))
			}
		case reflect.Slice:
			if !v.IsNil() {
				out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			}
			for i := range v.Len() {
				out.Index(i).Set(copied(v.Index(i)))
			}
		case reflect.Map:
			if !v.IsNil() {
				out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			}
			for key, value := range v.Seq2() {
				out.SetMapIndex(copied(key), copied(value))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					out.Field(i).Set(copied(v.Field(i)))
				}
			}
		}
		return out
	}
	return copied(reflect.ValueOf(&of).Elem()).Interface().(T)
}
